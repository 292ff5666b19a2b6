-- One request, the same each time: the cheapest that wrk can do. The body's file is the first argument after "--".
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"

function init(args)
  wrk.body = io.open(args[1]):read("*a")
end
