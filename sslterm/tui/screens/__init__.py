"""The screens of the TUI, one file each. They get what they need when they are made, and never import the app."""
