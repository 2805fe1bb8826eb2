-- POST of a customer whose external_id differs each time; all are equally long.
-- Arguments: file of the body, the id in it that is replaced, what our ids begin with, API key.
local head, tail, prefix, width
local number = 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. arguments[4]
  local text = wrk.format()
  local first, last = text:find(arguments[2], 1, true)
  prefix = arguments[3]
  head, tail = text:sub(1, first - 1), text:sub(last + 1)
  width = "%0" .. (#arguments[2] - #prefix) .. "d"
end

function request()
  number = number + 1
  return head .. prefix .. width:format(number) .. tail
end
