-- cutorch on the CPU: CUDA's tensors are the CPU's of the same element type (torch.CudaTensor is
-- torch.FloatTensor), and there is one device.
--
-- Source: torch/cutorch init.lua, init.c.

require 'torch'
local cutorch = {}
rawset(_G, 'cutorch', cutorch)

cutorch.hasHalf = true
cutorch.hasFastHalf = false
cutorch.magma = false
cutorch.driverVersion, cutorch.runtimeVersion = 0, 0

function cutorch.getDevice() return 1 end
function cutorch.getDeviceCount() return 1 end

function cutorch.setDevice(device)
  if device ~= 1 then error('invalid device ordinal', 2) end
end

function cutorch.withDevice(device, f)
  cutorch.setDevice(device)
  return f()
end

for _, name in ipairs {
  'synchronize', 'synchronizeAll', 'deviceReset', 'reserveStreams', 'setStream', 'streamSynchronize',
  'setDefaultStream', 'streamWaitFor', 'streamBarrier', 'setPeerToPeerAccess', 'reserveBlasHandles',
  'setBlasHandle', 'setKernelPeerToPeerAccess', 'setHeapTracking', 'emptyCache',
} do
  cutorch[name] = function() end
end

function cutorch.getStream() return 0 end
function cutorch.getNumStreams() return 0 end
function cutorch.getBlasHandle() return 1 end
function cutorch.getNumBlasHandles() return 1 end
function cutorch.getPeerToPeerAccess() return true end
function cutorch.isCachingAllocatorEnabled() return false end
function cutorch.isManagedPtr() return false end

-- Free and total memory in bytes, which programs print or divide by.
function cutorch.getMemoryUsage() return 2 ^ 34, 2 ^ 34 end

function cutorch.getDeviceProperties()
  return {name = 'CPU', major = 3, minor = 5, totalGlobalMem = 2 ^ 34, freeGlobalMem = 2 ^ 34,
          multiProcessorCount = 1, maxThreadsPerBlock = 1024, warpSize = 32}
end

-- A GPU has a stream of its own: to seed it leaves the CPU's where it is.
for _, name in ipairs {'manualSeed', 'manualSeedAll', 'seed', 'seedAll'} do
  cutorch[name] = function(seed) return seed end
end
cutorch.initialSeed = torch.initialSeed
cutorch.getRNGState = torch.getRNGState
cutorch.setRNGState = torch.setRNGState

for _, element in ipairs {'Float', 'Double', 'Half', 'Long', 'Int', 'Byte'} do
  cutorch[('createCudaHost%sTensor'):format(element)] = function(...)
    return torch[element .. 'Tensor'](...)
  end
end
cutorch.createCudaHostTensor = cutorch.createCudaHostFloatTensor

return cutorch
