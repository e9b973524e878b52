-- camera: not there, and why.

error('the package camera is not part of Rekindle: it reads cameras; load pictures with image.load', 0)
