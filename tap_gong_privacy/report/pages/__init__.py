"""The pages, each with its sentences beside their tags."""
