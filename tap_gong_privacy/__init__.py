"""Singer tap for Gong's data-privacy endpoint: every reference to an e-mail address."""
