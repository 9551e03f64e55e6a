"""The installed command, Meltano and real databases."""
