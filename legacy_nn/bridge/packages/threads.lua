-- threads: pools of workers, run one job after the other in this state.
--
-- Every worker has its own global variables (those it does not set are the program's), random
-- stream and default tensor type, and jobs get copies of the functions they are given, so that what
-- they assign stays with the worker. Tables and tensors are not copied: they are shared, as with
-- threads.sharedserialize. Jobs run when `dojob` or `synchronize` waits for them. Each is a
-- coroutine: a job that waits for another, at a lock or for a counter, lets the others go on.
--
-- Source: torch/threads threads.lua, safe.lua.

require 'torch'
local wait = require 'threads.wait'
local copy_function = require 'threads.copy'

local threads = {}
local Threads = {}
Threads.__index = Threads
local serialization = 'threads.serialize'

function Threads.serialization(name)
  if name == nil then return serialization end
  assert(type(name) == 'string')
  serialization = name
end

local number = 0  -- of workers made so far, in all pools

local function new_worker(id)
  local globals = setmetatable({__threadid = id}, {__index = _G})
  globals._G = globals
  number = number + 1
  local worker = {id = id, number = number, globals = globals, tensors = 'torch.DoubleTensor'}
  local before = torch.getRNGState()
  torch.seed()
  worker.random = torch.getRNGState()
  torch.setRNGState(before)
  return worker
end

local function packed(...) return {n = select('#', ...), ...} end

-- Goes on with a job as its worker, with that one's random stream and default tensor type. Returns
-- whether it succeeded and its results once it has ended, nothing while it waits. A program in
-- Python has its own table of globals, and a function that changes those for a worker's.
local function advance(job)
  local worker = job.worker
  local switch = threads.switch_globals
  local program = switch and switch(worker.number, worker.id)
  local random, tensors = torch.getRNGState(), torch.getdefaulttensortype()
  torch.setRNGState(worker.random)
  torch.setdefaulttensortype(worker.tensors)
  job.thread = job.thread or coroutine.create(function()
    return xpcall(function() return job.run(unpack(job.args, 1, job.args.n)) end, debug.traceback)
  end)
  local results = packed(wait.resume(job))
  if switch then switch(program) end
  worker.random, worker.tensors = torch.getRNGState(), torch.getdefaulttensortype()
  torch.setRNGState(random)
  torch.setdefaulttensortype(tensors)
  if coroutine.status(job.thread) ~= 'dead' then return nil end
  if not results[1] then return false, {n = 1, results[2]} end
  return results[2], {n = results.n - 2, unpack(results, 3, results.n)}
end

function Threads.new(n, ...)
  local self = setmetatable({N = n, errors = false, __specific = true, __running = true,
                             workers = {}, jobs = {}, turn = 0}, Threads)
  for i = 1, n do self.workers[i] = new_worker(i) end
  local starts = {...}
  local results = {}
  for j, start in ipairs(starts) do
    for i = 1, n do
      self:addjob(i, start, function(...)
        if j == #starts then results[#results + 1] = {...} end
      end, i)
    end
    self:synchronize()
  end
  self:specific(false)
  return self, results
end

function Threads:isrunning() return self.__running end

local function check_running(self)
  assert(self.__running, 'thread system is not running')
end

function Threads:specific(flag)
  check_running(self)
  if flag == nil then return self.__specific end
  assert(type(flag) == 'boolean', 'boolean expected')
  self:synchronize()
  self.__specific = flag
end

local function check_worker(self, id)
  assert(type(id) == 'number' and id >= 1 and id <= self.N, 'thread index expected')
end

-- A queue takes as many jobs as there are workers; those that have begun are in it no more.
function Threads:acceptsjob(id)
  check_running(self)
  if self.__specific then check_worker(self, id) end
  local waiting = 0
  for _, job in ipairs(self.jobs) do
    if not job.thread and (not self.__specific or job.worker.id == id) then
      waiting = waiting + 1
    end
  end
  return waiting < self.N
end

function Threads:addjob(...)
  check_running(self)
  self.errors = false
  local first, id = 1, nil
  if self.__specific then
    id, first = (...), 2
    check_worker(self, id)
  end
  local callback, ending = select(first, ...)
  assert(type(callback) == 'function', 'function callback expected')
  assert(type(ending) == 'function' or ending == nil, 'function (or nil) endcallback expected')
  while not self:acceptsjob(id) do self:dojob() end
  if not id then
    self.turn = self.turn % self.N + 1
    id = self.turn
  end
  local worker = self.workers[id]
  local args = {n = math.max(select('#', ...) - first - 1, 0), select(first + 2, ...)}
  self.jobs[#self.jobs + 1] = {worker = worker, run = copy_function(callback, worker.globals),
                               ending = ending or function() end, args = args}
end

-- Runs jobs, the oldest first, until one has ended.
local function ended_job(self)
  while true do
    for i, job in ipairs(self.jobs) do
      local worker = job.worker
      if worker.job == nil or worker.job == job then
        worker.job = job
        local ok, results = advance(job)
        if ok ~= nil then
          worker.job = nil
          table.remove(self.jobs, i)
          return job, ok, results
        end
      end
    end
  end
end

function Threads:dojob()
  check_running(self)
  self.errors = false
  if #self.jobs == 0 then error('there is no job to wait for', 2) end
  local job, ok, results = ended_job(self)
  local id = job.worker.id
  if not ok then
    self.errors = true
    error(('[thread %d callback] %s'):format(id, tostring(results[1])))
  end
  local ended, message = xpcall(function() return job.ending(unpack(results, 1, results.n)) end,
                                debug.traceback)
  if not ended then
    self.errors = true
    error(('[thread %d endcallback] %s'):format(id, tostring(message)))
  end
end

function Threads:haserror() return false end

function Threads:hasjob()
  check_running(self)
  return #self.jobs > 0
end

function Threads:synchronize()
  if not self.__running then return end
  self.errors = false
  while self:hasjob() do self:dojob() end
end

function Threads:terminate()
  if not self.__running or self.errors then return end
  local ok, message = pcall(self.synchronize, self)
  self.__running = false
  if not ok then error(message, 0) end
end

local constructor = setmetatable({}, {__index = Threads, __newindex = Threads,
                                      __call = function(_, ...) return Threads.new(...) end})
threads.Threads = constructor

-- Locks and conditions, known by numbers. A program that is no job waits for nothing.
local function lock_class(methods)
  local known = {}
  function methods:id() return self.__id end
  function methods:retain() end
  function methods:free() end
  methods.__index = methods
  return function(id)
    if id ~= nil then return known[id] end
    local made = setmetatable({__id = #known + 1, signals = 0, waiting = 0}, methods)
    known[made.__id] = made
    return made
  end
end

local Mutex = {}
function Mutex:lock()
  while self.held and wait.pause() do end
  self.held = true
end
function Mutex:unlock() self.held = false end
threads.Mutex = lock_class(Mutex)

local Condition = {}
function Condition:signal()
  if self.waiting > self.signals then self.signals = self.signals + 1 end
end
function Condition:wait(mutex)
  if mutex then mutex:unlock() end
  self.waiting = self.waiting + 1
  while self.signals == 0 and wait.pause() do end
  self.waiting, self.signals = self.waiting - 1, math.max(self.signals - 1, 0)
  if mutex then mutex:lock() end
end
threads.Condition = lock_class(Condition)

function threads.AtomicCounter(value)
  local counter = {value = value or 0}
  function counter:set(v) self.value = v end
  counter.get = wait.looking(function(self) return self.value end)
  function counter:inc(by) self.value = self.value + (by or 1) end
  function counter:dec(by) self.value = self.value - (by or 1) end
  function counter:free() end
  return counter
end

function threads.Thread()
  error('threads.Thread: a thread of its own cannot be had; use threads.Threads, whose jobs run here', 2)
end

function threads.safe(f, mutex)
  assert(type(f) == 'function', 'function, [mutex] expected')
  return f, mutex
end

return setmetatable(threads, getmetatable(constructor))
