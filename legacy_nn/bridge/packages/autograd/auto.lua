-- autograd.auto: the classes that AutoModule and AutoCriterion make.
return {}
