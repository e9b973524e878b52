-- threads.wait: how a job waits for others. Jobs are coroutines; what waits in one yields.

local wait = {}
local job  -- the one that runs

-- Goes on with a job until it ends or waits.
local function back(before, ...)
  job = before
  return ...
end
function wait.resume(next_job)
  local before = job
  job = next_job
  return back(before, coroutine.resume(job.thread))
end

-- Lets other jobs go on; returns whether it could: in a job, and not inside a coroutine of its own.
function wait.pause()
  if job == nil or coroutine.running() ~= job.thread then return false end
  coroutine.yield()
  return true
end

-- Returns a function that reads a number, and pauses where the same job reads it in vain again.
function wait.looking(get)
  return function(counter)
    local value = get(counter)
    if job ~= nil then
      if job.counter == counter and job.count == value and wait.pause() then
        value = get(counter)
      end
      job.counter, job.count = counter, value
    end
    return value
  end
end

return wait
