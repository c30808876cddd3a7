"""What the end-to-end tests stand on: the built gateway, a scripted upstream, and a client that sends exact bytes."""
