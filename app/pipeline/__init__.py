"""The try-on itself: workflow, activities, steps, policies and the models that travel between them."""
