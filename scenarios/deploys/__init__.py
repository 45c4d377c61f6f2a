"""`make deploy-check`: a try-on that began under the old code goes on under the new one, from every event; and back."""
