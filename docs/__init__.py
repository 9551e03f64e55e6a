"""Pages for users, and the program that writes parts of them."""
