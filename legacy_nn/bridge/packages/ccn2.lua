-- ccn2: not there, and why.

error('the package ccn2 is not part of Rekindle: it computes with cuda-convnet2 on a GPU; nn.SpatialConvolution and its kin compute the same on batches first', 0)
