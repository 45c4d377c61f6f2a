"""What a load run measures, and the figures that are made of it."""
