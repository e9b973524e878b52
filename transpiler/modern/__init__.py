"""`--style modern`: models, losses and training as core.nn and core.optim have them.

The pass works on the tree, before types are found. Start with `attempts`.

What is known: `variables` says what each variable of the program is given, `facts` which of them
hold models, criterions, parameters and tables of options; `groups` are those that share a fate.

What is rewritten: `rewrite` goes through the statements, with `definitions`, `values`, `compounds`
and `suites` for kinds of them and `refusals` for what does not fit, which stays as it is with all
that it belongs to. `models` and `containers` are for definitions, `steps` (with `step_parts`) for
forward, loss and backward, `training`, `closures` and `descent` for optimisers, `calls`, `fields`,
`effects` and `loops` for the rest, `held` for what would change Torch's numbers.

What is rewritten in part: `seams` are the files and functions whose models go to what stays as it
is, `stages` what stands before and behind `x = f(x)`, `handed` functions that are kept in tables,
`field_models` and `field_builds` models that a method puts into fields. `gradient_steps` and
`outputs` are backward passes that are given a gradient.

Graphs of nngraph become classes before all that: `prepared`, `graphs`. `builds` are models that
branches put together, `left` what is said of files in which nothing was rewritten.

What becomes what: `layers` (with `layer_makers` and `constructors`), `branches`, `criterions` and
`optimizers`. `nodes` and `lowering` are the text that the pass puts into the tree.
"""
