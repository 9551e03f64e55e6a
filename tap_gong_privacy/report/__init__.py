"""The report: pages for people, made from what the tap loaded."""
