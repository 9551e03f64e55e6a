"""What target-snowflake sends, and how that is found out without an account."""
