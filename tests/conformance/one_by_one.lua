-- Runs a file of tests as it is, each of its tests by itself, and writes down what each asserts.
--
-- rekindle exec one_by_one.lua RESULTS FILE CALL PART PARTS [SKIPPED...]
--
-- CALL is Lua code that starts the tests of a file that only defines them, or ''. RESULTS gets a
-- line when a test starts and one when it ends, so that one that never ends is known. Of every
-- PARTS tests one is run, beginning with number PART; those named by SKIPPED are not. A file
-- without a torch.Tester is one test, whose assertions are its calls of `assert`.

require 'torch'

local results_path, file, call, part, parts = unpack(arg, 1, 5)
part, parts = tonumber(part), tonumber(parts)
local skipped = {}
for i = 6, #arg do skipped[arg[i]] = true end

-- The suites ask whether there is a GPU by asking for its packages; here there is none.
if os.getenv('WITH_CUDA') ~= '1' then
  for _, name in ipairs {'cutorch', 'cunn', 'cudnn'} do
    package.preload[name] = function() error('there is no GPU', 0) end
  end
end

for name in (os.getenv('PROVIDED') or ''):gmatch('%S+') do
  package.preload[name] = function() return true end
end

local results = assert(io.open(results_path, 'a'))

local function note(...)
  local fields = {...}
  for i, field in ipairs(fields) do fields[i] = tostring(field):gsub('[\t\r\n]+', ' ') end
  results:write(table.concat(fields, '\t'), '\n')
  results:flush()
end

local plain_assert, asserted = assert, 0
function assert(...)
  if debug.getinfo(2, 'S').source == '@' .. file then asserted = asserted + 1 end
  return plain_assert(...)
end

local SEED = 123
local function begin(name)
  note('start', name)
  torch.manualSeed(SEED)
  math.randomseed(SEED)
  asserted = 0
end

local function split_runs(Tester)
  local run = Tester.run
  local running = false

  local seen = {}
  local function run_alone(tester, name, noted)
    begin(noted)
    tester.errors = {}
    local ok, message = pcall(run, tester, '^' .. name:gsub('%p', '%%%0') .. '$')
    local failures = tester.assertionFail[name] or 0
    local passes = tester.assertionPass[name] or 0
    local reason = tester.errors[1] or (ok and '' or message)
    note('end', noted, passes, failures, asserted, reason)
  end

  -- The outermost run is split; a tester's tests may run testers themselves.
  function Tester.run(tester, ...)
    if running then return run(tester, ...) end
    running = true
    local names = {}
    for name in pairs(tester.tests) do names[#names + 1] = name end
    table.sort(names)
    for i, name in ipairs(names) do
      seen[name] = (seen[name] or 0) + 1  -- several testers may have tests of one name
      local noted = seen[name] == 1 and name or ('%s (%d)'):format(name, seen[name])
      if i % parts == part and not skipped[noted] then run_alone(tester, name, noted) end
    end
    running = false
    tester.errors = {}  -- files may look at them, and leave
    return 0
  end
end

split_runs(torch.getmetatable('torch.Tester'))

local before = results:seek()
begin(file)
local ok, message = xpcall(function()
  dofile(file)
  if call ~= '' then plain_assert(loadstring(call))() end
end, debug.traceback)
if results:seek() == before + #('start\t' .. file .. '\n') or not ok then
  note('end', file, 0, 0, asserted, ok and '' or message)
end
note('done')
