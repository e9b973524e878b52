-- loadcaffe: not there, and why.

error('the package loadcaffe is not part of Rekindle: it reads Caffe\'s files, which hold protocol buffers; convert the model to .t7 with Torch7, or to another format', 0)
