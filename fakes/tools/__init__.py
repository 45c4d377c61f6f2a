"""Tools around the fakes: their OpenAPI documents, the tables of the documentation, recordings of real services."""
