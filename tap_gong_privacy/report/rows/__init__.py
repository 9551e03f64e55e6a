"""Where rows come from: tables, databases, the tap's output; and what is masked in them."""
