"""What is worked out of numbers and text before it is drawn: pure functions, which know no screen and no thread."""
