"""All picture work of production: photos that are accepted, pictures that services made."""
