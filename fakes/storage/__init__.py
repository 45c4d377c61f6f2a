"""The blob store beside the fakes: its container, the pictures in it, and a proxy with bad days by rule."""
