-- ffmpeg: not there, and why.

error('the package ffmpeg is not part of Rekindle: it reads videos; write their frames as pictures and load these with image.load', 0)
