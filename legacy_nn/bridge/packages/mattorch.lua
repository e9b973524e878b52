-- mattorch: not there, and why.

error('the package mattorch is not part of Rekindle: it reads MATLAB\'s files with MATLAB\'s library; matio.load reads them here', 0)
