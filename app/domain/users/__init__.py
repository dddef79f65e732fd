"""Users owns people, the leaders they follow and the exchange keys they trust us with. It does not size or send."""
