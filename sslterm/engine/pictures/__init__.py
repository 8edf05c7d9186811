"""The pictures behind the numbers: what a preset makes of images, what a run took them for, which ones it finds alike,
what its method painted.

`asking` finds a sheet that was made before without loading torch; else `views`, `mistakes`, `neighbours` or `painted`
chooses its tiles, and `drawing` draws them.
"""
