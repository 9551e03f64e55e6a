"""Singer: streams, records, messages, stream maps, and the files given by option."""
