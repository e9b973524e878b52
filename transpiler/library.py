"""What is known of Lua's libraries and Torch's packages: results of calls, and what is imported.

A function's results are a string of type letters, one for each result: "n" a number, "i" a whole
number, "s" text, "b" a boolean, "t" a Table of the runtime, "T" a tensor, "S" a storage, "f" a
function, "M" a module of nn, "a" anything; "Z" in front of one: it may be nil. "*" is any number
of results.
"""

from __future__ import annotations

from .text import words

GLOBALS: dict[str, str] = {
    "assert": "*",
    "collectgarbage": "a",
    "dofile": "*",
    "include": "",
    "error": "",
    "getmetatable": "a",
    "ipairs": "f",
    "load": "*",
    "loadstring": "*",
    "next": "*",
    "pairs": "f",
    "pcall": "*",
    "print": "",
    "rawequal": "b",
    "rawget": "a",
    "rawlen": "i",
    "rawset": "a",
    "require": "a",
    "select": "*",
    "setmetatable": "t",
    "tonumber": "Zn",
    "tostring": "s",
    "type": "s",
    "unpack": "*",
    "xpcall": "*",
}
"""Lua's global functions and their results."""

PYTHON_NAMES = {"assert": "lua.assert_", "next": "lua.next_", "type": "lua.type_of"}
"""Those that are not imported under their own names."""

UNAVAILABLE = {
    "loadfile": "RK103",
    "setfenv": "RK104",
    "getfenv": "RK104",
}
"""Global functions that a translation cannot have, with the code of the message."""

LIBRARIES: dict[str, dict[str, str]] = {
    "string": {
        "byte": "*",
        "char": "s",
        "find": "*",
        "format": "s",
        "gmatch": "f",
        "gsub": "si",
        "len": "i",
        "lower": "s",
        "match": "*",
        "rep": "s",
        "reverse": "s",
        "sub": "s",
        "upper": "s",
        "dump": "s",
    },
    "table": {
        "concat": "s",
        "foreach": "a",
        "getn": "i",
        "insert": "",
        "maxn": "n",
        "pack": "a",
        "remove": "a",
        "sort": "",
        "unpack": "*",
    },
    "math": {
        **dict.fromkeys(
            words(
                """
        acos asin atan atan2 cos cosh deg exp fmod ldexp log log10 mod pow rad sin sinh sqrt
        tan tanh
        """
            ),
            "n",
        ),
        "abs": "n",
        "ceil": "i",
        "floor": "i",
        "frexp": "ni",
        "max": "n",
        "min": "n",
        "modf": "nn",
        "random": "n",
        "randomseed": "",
    },
    "os": {
        "clock": "n",
        "date": "a",
        "difftime": "n",
        "execute": "*",
        "exit": "",
        "getenv": "a",
        "remove": "*",
        "rename": "*",
        "time": "n",
        "tmpname": "s",
    },
    "io": {
        "close": "*",
        "flush": "a",
        "input": "a",
        "lines": "f",
        "open": "*",
        "output": "a",
        "popen": "*",
        "read": "*",
        "tmpfile": "a",
        "type": "a",
        "write": "a",
    },
    "coroutine": {
        "create": "a",
        "isyieldable": "b",
        "resume": "*",
        "running": "*",
        "status": "s",
        "wrap": "f",
        "yield": "*",
    },
    "bit": dict.fromkeys(
        words("arshift band bnot bor bswap bxor lshift rol ror rshift tobit"),
        "i",
    )
    | {"tohex": "s"},
}
"""Lua's libraries: the functions of each, and their results."""

WITHOUT_ARGUMENTS = words(
    """
    Abs CAddTensorTable CDivTable CMaxTable CMinTable CMulTable CSubTable ConcatTable Container
    Contiguous CopyGrad CosineDistance Criterion DistKLDivCriterion DotProduct Exp ExpandAs
    FlattenTable Identity L1Cost Log LogSigmoid LogSoftMax MaskedSelect Module Mul MultiCriterion
    MultiLabelMarginCriterion ParallelTable ReverseTable Sequential Sigmoid SoftMarginCriterion
    SoftMax SoftMin SoftSign SpatialLogSoftMax SpatialSoftMax Square Tanh TanhShrink ZeroGrad
    ZipTable ZipTableOneToMany
    """
)
"""Classes of nn whose constructors look at none: `nn.Sigmoid(true)` stands in many programs."""

ARITY: dict[str, int] = {
    **dict.fromkeys(words("ipairs pairs tostring type getmetatable rawlen require dofile"), 1),
    **dict.fromkeys(["tonumber", "rawget", "rawequal", "setmetatable", "next"], 2),
    **dict.fromkeys(["unpack", "rawset", "table.unpack"], 3),
    **{f"string.{f}": 1 for f in ["len", "lower", "upper", "reverse", "dump"]},
    **{f"string.{f}": 3 for f in ["byte", "rep", "sub", "match"]},
    **{"string.gmatch": 2, "string.gsub": 4, "string.find": 4, "table.concat": 4},
    **{f"math.{f}": 1 for f in LIBRARIES["math"] if f not in ("max", "min", "random", "log")},
    **{f"math.{f}": 2 for f in ["atan2", "fmod", "pow", "ldexp", "random", "log"]},
    **{"table.sort": 2, "table.remove": 2, "coroutine.status": 1, "coroutine.wrap": 1},
    **{"coroutine.create": 1, "io.open": 2, "os.exit": 1, "os.time": 1, "os.date": 2},
    **{f"nn.{name}": 0 for name in WITHOUT_ARGUMENTS},
}
"""How many arguments functions look at: further results of a last call are dropped."""

CONSTANTS = frozenset(["math.huge", "math.pi"])
"""Numbers that libraries have."""

PACKAGES = frozenset(
    words(
        """
        torch nn optim nngraph graph paths xlua sys image cutorch cunn cudnn cunnx rnn dpnn
        tds autograd
        """
    )
)
"""Packages that the runtime answers for: `require` gives them, and they are globals."""

LATE = frozenset(["autograd"])
"""Those that the runtime loads when a program asks for them."""

SUBPACKAGES = frozenset(
    f"autograd.{part}" for part in words("loss model module nn nnwrapper node optim overload util")
)
"""Parts of packages that are packages themselves."""

PARTS = SUBPACKAGES | frozenset(
    f"autograd.{part}"
    for part in words(
        """
        auto auto.AutoCriterion auto.AutoModule gradcheck main model.layered model.recurrent
        runtime.codegen.Value
        """
    )
)
"""Parts of packages that `require` gives, too."""

AUTOGRAD: dict[str, str] = {
    **dict.fromkeys(["", ".grad"], "f"),
    **dict.fromkeys(words(".optimize .protected"), ""),
    **dict.fromkeys(words(".loss.logMultinomialLoss .loss.logBCELoss"), "a"),
    **{
        f".util.{name}": "a"
        for name in words(
            """
            cast oneHot logSumExp logSoftMax sigmoid sigmoidInPlace lookup dropout setNotEqual
            newTensorLike zerosLike fill cat typeAsIfNeeded sortedFlatten deepCopy shallowCopy
            """
        )
    },
    **{f".util.{name}": "b" for name in words("lt le gt ge eq")},
    **{
        f".nn.{name}": "a"
        for name in words(
            """
            Tanh ReLU Sigmoid SoftMax LogSoftMax SoftPlus ELU Abs Square Sqrt Power Reshape View
            Transpose SpatialMaxPooling SpatialAveragePooling Dropout SpatialDropout Identity
            MSECriterion ClassNLLCriterion CrossEntropyCriterion BCECriterion AbsCriterion
            """
        )
    },
}
"""Functions of autograd whose results are known; modules without parameters are one function."""

BRIDGED = frozenset(
    words(
        """
        argcheck cephes cjson class csvigo display dok env gnuplot hdf5 json lfs matio md5 moses
        pl randomkit stn threads torchnet trepl
        """
    )
)
"""Packages, and what their parts are part of, that the runtime takes from the Lua bridge."""

PENLIGHT = frozenset(
    words("List app class dir file lapp path pl pretty stringx tablex types utils")
)
"""Globals that are Penlight and its modules from the start, as in Torch's `th`."""

MISSING = frozenset(
    words(
        """
        fftw ffi gfx gfx.js inn iTorch itorch loadcaffe mattorch npy4th penlight posix qt qtwidget
        qttorch signal socket svm tnt totem ud unsup wigo cbjson libcudnn logroll nnx dataset lmdb
        lua---parallel parallel distlearn ipc hash rnnlib fbcunn fbnn fb.debugger
        audio sndfile sox ffmpeg camera graphicsmagick graphviz
        """
    )
)
"""Packages that programs often ask for and that are not here."""

TORCH: dict[str, str] = {
    **dict.fromkeys(
        words(
            """
        Tensor DoubleTensor FloatTensor LongTensor IntTensor ShortTensor CharTensor ByteTensor
        CudaTensor CudaDoubleTensor CudaLongTensor CudaIntTensor CudaShortTensor CudaCharTensor
        CudaByteTensor CudaHalfTensor
        zeros ones eye rand randn range linspace logspace randperm cat diag tril triu
        repeatTensor cmul cdiv cpow add mul div csub pow exp log sqrt abs sign floor ceil
        round tanh sigmoid sin cos tan cinv neg clamp mm mv ger addmm addmv addr bmm baddbmm
        addbmm cumsum cumprod lt le gt ge eq ne multinomial bernoulli_ gather index histc
        conv2 xcorr2 cross inverse potri potrf cmax cmin reshape log1p rsqrt trunc frac
        nonzero
        """
        ),
        "T",
    ),
    **dict.fromkeys(["isTensor", "isStorage", "isTypeOf"], "b"),
    **dict.fromkeys(["type", "serialize", "getdefaulttensortype"], "s"),
    **dict.fromkeys(words("uniform normal exponential cauchy dist norm tic toc pointer"), "n"),
    **dict.fromkeys(["numel", "nDimension", "random", "getnumthreads", "initialSeed"], "i"),
    **dict.fromkeys(
        ["include", "manualSeed", "save", "setnumthreads", "setdefaulttensortype", "setRNGState"],
        "",
    ),
    **dict.fromkeys(
        words(
            """
        load deserialize CmdLine Timer Generator Tester TestSuite getRNGState DiskFile MemoryFile
        PipeFile totable setmetatable
        """
        ),
        "a",
    ),
    **dict.fromkeys(
        ["LongStorage", "DoubleStorage", "FloatStorage", "IntStorage", "ByteStorage"], "S"
    ),
}
"""Functions of the package torch whose results are known."""

TENSOR_METHODS: dict[str, str] = {
    **dict.fromkeys(
        words(
            """
        abs acos add addbmm addcdiv addcmul addmm addmv addr apply asin atan baddbmm bmm byte
        cauchy cdiv ceil char clamp clone cinv cmax cmin cmod cmul contiguous copy cos cosh
        cpow csub cumprod cumsum div double exp expand expandAs exponential eq fill float
        floor frac ge ger gt index indexAdd indexCopy indexFill int le log log1p log2
        logNormal long lt map maskedCopy maskedFill maskedSelect mm mul multinomial mv narrow
        ne neg new nonzero normal permute pow repeatTensor reshape resize resizeAs round rsqrt
        scatter select set short sigmoid sign sin sinh sqrt squeeze sub t tan tanh transpose
        tril triu trunc typeAs unfold uniform unsqueeze view viewAs zero gather cuda type_ diag
        inverse split_
        """
        ),
        "T",
    ),
    **dict.fromkeys(
        ["dim", "nDimension", "nElement", "numel", "storageOffset", "elementSize"], "i"
    ),
    **dict.fromkeys(["isContiguous", "isTensor", "isSameSizeAs", "isSize", "isSetTo"], "b"),
    **dict.fromkeys(["dot", "dist", "trace"], "n"),
    **dict.fromkeys(["totable", "split", "chunk"], "a"),
    **dict.fromkeys(["storage"], "S"),
}
"""Methods of tensors whose results are known whatever the arguments."""

REDUCTIONS = frozenset(words("sum mean max min prod norm var std all any"))
"""Methods that give a number without arguments, and tensors with a dimension."""

SEVERAL_RESULTS = frozenset(["max", "min", "sort", "topk", "kthvalue", "median", "mode"])
"""Methods and functions of tensors that give two tensors when a dimension is named."""

TENSOR_ONLY = frozenset(
    words(
        """
        narrow select view viewAs resizeAs expandAs expand cmul cdiv addmm addmv addr mm mv ger bmm
        baddbmm dot nElement numel nDimension isContiguous contiguous squeeze transpose t permute
        unfold gather scatter maskedFill maskedSelect maskedCopy indexCopy indexAdd indexFill
        uniform normal clamp pow sqrt exp log tanh sigmoid abs sign lt le gt ge eq ne sum mean
        std var min max norm prod cumsum repeatTensor storageOffset stride long int short
        char fill mul div csub addcmul addcdiv copy zero topk dim storage resize index reshape
        totable typeAs isSameSizeAs
        """
    )
)
"""Methods that, unless a program defines such names itself, mean that an object is a tensor."""

STRING_ONLY = frozenset(words("gsub gmatch upper lower match format rep reverse"))
"""Methods that likewise mean that an object is a string."""

STRING_METHODS = LIBRARIES["string"]

KEPT_BY_NOBODY = frozenset(
    words(
        """
        pcall xpcall table.sort table.foreach string.gsub optim.sgd optim.adam optim.adagrad
        optim.adadelta optim.adamax optim.rmsprop optim.lbfgs optim.cg optim.nag optim.rprop
        optim.asgd optim.checkgrad optim.cmaes optim.FistaLS optim.lswolfe
        """
    )
)
"""Functions that call their function arguments and do not keep them."""

KEPT_BY_NO_METHOD = frozenset(["apply", "map", "map2", "gsub", "replace"])
"""Methods of which the same is known."""
