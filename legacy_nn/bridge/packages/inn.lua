-- inn: not there, and why.

error('the package inn is not part of Rekindle: its layers are not written; nn.SpatialCrossMapLRN and nn.SpatialMaxPooling with :ceil() do what most programs use it for', 0)
