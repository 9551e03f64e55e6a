"""Programs that measure the tap, and print ratios."""
