"""The chaos suite: faults from outside against a running gateway, each with the promise that it must not break."""
