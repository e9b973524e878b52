"""`--style modern`: models, losses and training as core.nn and core.optim have them.

The pass works on the tree, before types are found: `facts` says which variables hold models,
criterions, parameters and tables of options; `rewrite` goes through the statements, with `models`
for definitions (`layers`, `criterions` and `optimizers` are the tables of what becomes what),
`steps` for forward, loss and backward, `training` for optimisers and `calls` for the rest; `nodes`
and `lowering` are the text that it puts into the tree. What does not fit stays as it is, with all
that it belongs to. Start with `attempts`.
"""
