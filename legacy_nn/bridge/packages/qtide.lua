-- qtide: not there, and why.

error('the package qtide is not part of Rekindle: it draws windows with Qt; run the program without its display (image.save writes pictures)', 0)
