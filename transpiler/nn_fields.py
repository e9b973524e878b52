"""Names of the fields of nn's own classes, which their objects may have or not."""

from __future__ import annotations

from .text import words

NN_FIELDS = frozenset(
    words(
        """
        H W accumRatio addBuffer adjH adjT adjW adjustedstds adjustedsums affine
        allcolumns alpha backwardSetup batchMode batchSize batch_mode batchsize beta bias
        buff1 buff2 buffer buffer2 castTarget castin castout ceil_mode clusterSampleCount
        coef connTable constant_scalar converter copiedInput count_include_pad criterion
        criterions cross cumSumSizes cumSumSizesCache dH dT dW dX dY device diagCov
        diagHessianInput diff dilationH dilationT dilationW dimDelta dimG dimension dist
        divide divider doGradInput dontCast eps factor fastBackward featFirst fgradInput
        finput formatted_input g grad gradBias gradDiagCov gradG gradInput gradInputEl
        gradMaxVals gradV gradWeight gradWeightBuf gradWeightBuf2 gradWeightBuffer iH iW
        id ignoreIndex iheight inShape index indices inplace input inputBatchDim
        inputDimension inputFrameSize inputModule inputShape inputSize input_map inputsize
        isFlat isTarget itime iwidth k kH kT kW kernel keys l1weight lambda lastInput
        legacyMode length lkeys localstds localsums loss lower lsm lvalues margin mask
        maskByteTensor maxIdx maxNorm maxVals max_val mean meanestimator minIdx minK
        minVals min_val mininput mode module moduleType modules momentum nClasses
        nInputDim nInputDims nInputPlane nOutputDim nOutputPlane ndim negval nelement
        network newRandomPool nfeatures nll noBatch noise norm normType normalize
        normalizedValues normalizer normp numBwds numElements numFwds numInputDims oH oW
        offset oheight oldSizeAverage ones otherDims otime outExpand outH outShape outT
        outW outdevice output outputBatchDim outputDim outputDimension outputFrameSize
        outputShape outputSize output_tensor outputsize owidth p pad padH padT padW pad_b
        pad_l pad_r pad_t paddedRatio padding paddingValue partition pback pbottom
        permutations pfront pleft poolSizeH poolSizeT poolSizeW pooling pos pow power
        prefix pright provideOutput ptop randomSamples ratioH ratioT ratioW repeatTarget
        running running_mean running_std running_var save_mean save_std scalar scale
        scale_factor shared sharedparams shouldScaleGradByFreq sigmoid simplex size2
        sizeAverage sizes sizesCache sparseUpdate squeeze std stdestimator
        stochastic_inference stride subtractor summedBwdTime summedFwdTime table tanh
        target targetModule target_tensor temp tempgrad threshold thresholdedstds
        thresholder thresval totalOutputSize total_weight_tensor tout train trans transA
        transB transposition ty updateGradInput updateKeys updateKeysBuffer updateOutput
        upper upscaleFactor upscaleFactorSquared v v2 val value values valuesBuffer viewIn
        viewOut w w1 w22 w32 weight weightDecay weightSize weights width zeroScalar
        zerokeys
        """
    )
)
"""What programs ask modules of unknown class for, to see whether it is there."""
