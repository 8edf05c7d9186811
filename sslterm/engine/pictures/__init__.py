"""The pictures behind the numbers: what a preset makes of images, what a run took them for, which ones it finds alike.

`asking` finds a sheet that was made before without loading torch; else `views`, `mistakes` or `neighbours` chooses its
tiles, and `drawing` draws them.
"""
