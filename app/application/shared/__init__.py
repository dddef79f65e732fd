"""What use cases of all contexts share: the unit of work, the event bus, telemetry. No use case lives here."""
