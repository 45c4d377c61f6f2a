"""This project's try-on, as the explorer sees it: kinds of fault, acts of the user, chance, judgement."""
