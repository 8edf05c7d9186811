"""Launch: a preset is chosen, changed, judged, looked at, and started; or begun from a checkpoint (fine-tuning)."""

from sslterm.tui.screens.launch.screen import LaunchScreen

__all__ = ["LaunchScreen"]
