-- Every request is another hit, with its texts escaped: what a script has to do to send what the loadgen sends.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"

local function escape(s)
  return (s:gsub("[^%w%-_%.~]", function(c) return string.format("%%%02X", c:byte()) end))
end

local areas = { "clothing/jackets", "kitchen/cookware", "garden/tools", "home/lamps", "office/chairs" }
local titles = { "Jackets | Clothing", "Cookware | Kitchen", "Tools | Garden", "Lamps | Home", "Chairs | Office" }
local browser = escape("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36")
local rest = "&uadata=%7B%22mobile%22%3Afalse%2C%22platform%22%3A%22Windows%22%2C%22platformVersion%22%3A%2210.0.0%22%7D"
  .. "&pdf=1&cookie=1&res=1536x864&lang=de-DE%2Cde%3Bq%3D0.9%2Cen%3Bq%3D0.7&country=de&region=BE&city=Berlin"
  .. "&lat=52.5244&long=13.4105&send_image=0&token_auth=0123456789abcdef0123456789abcdef"
local n = 0

request = function()
  n = n + 1
  local area = n % #areas + 1
  local id = string.format("%08x%08x", n, math.random(0, 0xfffffff))
  local url = string.format("https://shop.example.test/%s/article-%d", areas[area], n)
  local body = "idsite=1&rec=1&apiv=1&cid=" .. id .. "&_id=" .. id .. "&url=" .. escape(url)
    .. "&urlref=" .. escape("https://shop.example.test/" .. areas[area]) .. "&pv_id=" .. id:sub(-6)
    .. "&action_name=" .. escape(string.format("Article %d | %s", n, titles[area]))
    .. "&pf_net=" .. math.random(10, 150) .. "&pf_srv=" .. math.random(50, 400) .. "&pf_tfr=" .. math.random(10, 150)
    .. "&pf_dm1=" .. math.random(100, 800) .. "&pf_dm2=" .. math.random(100, 800) .. "&pf_onl=" .. math.random(1, 30)
    .. "&ua=" .. browser .. "&cip=93.246." .. math.random(0, 255) .. "." .. math.random(1, 254)
    .. "&cdt=" .. os.time() .. rest
  return wrk.format(nil, nil, nil, body)
end
