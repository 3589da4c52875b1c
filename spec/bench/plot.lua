-- What the benchmark found, as one SVG: bars for the programs of each workload, curves for growth.

local figures = require "spec.bench.figures"
local report = require "spec.bench.report"

local M = {}

local WIDTH, PANEL_WIDTH, MARGIN = 1120, 540, 20
local BAR, GAP, HEAD = 14, 4, 44
local LABEL, VALUE = 190, 50
local CURVE_HEIGHT, LINE = 220, 13
local OURS, OTHERS, REFERENCE, TARGET = "#0b6e4f", "#9aa5b1", "#3e4c59", "#c0392b"
local COLOURS = { REFERENCE, "#1f77b4", OURS }

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function text(x, y, content, options)
  options = options or {}
  return ('<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" fill="%s">%s</text>'):format(
    x, y, options.size or 11, options.anchor or "start", options.fill or "#1f2933",
    escape(content))
end

local function bar_colour(program)
  return program.ours and OURS or (program.reference or program.control) and REFERENCE or OTHERS
end

-- { program, ratio } in the order of the ratios.
local function bars_of(bench, workload, library)
  local bars = {}
  local reference = report.samples(bench, workload.name, library, report.reference(bench))
  for _, program in ipairs(bench.programs) do
    local ratio = figures.ratio(report.samples(bench, workload.name, library, program), reference,
      bench.rounds, workload.figure)
    if ratio then bars[#bars + 1] = { program = program, ratio = ratio } end
  end
  table.sort(bars, function(a, b) return a.ratio < b.ratio end)
  return bars
end

-- Bars are to the scale of the logarithm: 1 to 100 times the reference have to fit.
local function draw_bars(x, y, title, bars)
  local out = { text(x, y + 14, title, { size = 13 }) }
  local room = PANEL_WIDTH - LABEL - VALUE - MARGIN
  local lowest, highest = 0.5, 2
  for _, bar in ipairs(bars) do
    lowest, highest = math.min(lowest, bar.ratio * 0.8), math.max(highest, bar.ratio)
  end
  local function place(ratio)
    return math.log(ratio / lowest) / math.log(highest / lowest) * room
  end
  for i, bar in ipairs(bars) do
    local top = y + HEAD - 20 + (i - 1) * (BAR + GAP)
    out[#out + 1] = text(x + LABEL - 6, top + BAR - 3, bar.program.title, { anchor = "end" })
    out[#out + 1] = ('<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"/>'):format(
      x + LABEL, top, place(bar.ratio), BAR, bar_colour(bar.program))
    out[#out + 1] = text(x + LABEL + place(bar.ratio) + 4, top + BAR - 3,
      ("%.2f"):format(bar.ratio))
  end
  local bottom = y + HEAD - 20 + #bars * (BAR + GAP)
  out[#out + 1] = ('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>'):format(
    x + LABEL + place(1), x + LABEL + place(1), y + HEAD - 24, bottom, TARGET)
  return table.concat(out, "\n"), bottom - y + GAP
end

local function curve_points(bench, curve, library, program)
  local points = {}
  for _, point in ipairs(curve.points) do
    local value = report.growth_value(bench, curve, point, library, program)
    if value then points[#points + 1] = { point[1], value } end
  end
  return points
end

-- The names of the lines at their ends, none over another.
local function append_names(out, ends)
  table.sort(ends, function(a, b) return a.y < b.y end)
  local free = -math.huge
  for _, name in ipairs(ends) do
    local y = math.max(name.y, free)
    free = y + LINE
    out[#out + 1] = text(name.x, y, name.line.title, { fill = name.line.colour })
  end
end

local function draw_curve(x, y, title, lines)
  local out = { text(x, y + 14, title, { size = 13 }) }
  local left, right = math.huge, 0
  local top = 0
  for _, line in ipairs(lines) do
    for _, point in ipairs(line.points) do
      left, right = math.min(left, point[1]), math.max(right, point[1])
      top = math.max(top, point[2])
    end
  end
  local width, height = PANEL_WIDTH - 140, CURVE_HEIGHT - 70
  local function at(point)
    return x + 50 + math.log(point[1] / left) / math.log(right / left) * width,
      y + 30 + height - point[2] / top * height
  end
  out[#out + 1] = ('<path d="M%.1f %.1fV%.1fH%.1f" fill="none" stroke="#52606d"/>'):format(x + 50,
    y + 30, y + 30 + height, x + 50 + width)
  out[#out + 1] = text(x + 46, y + 36, top >= 100 and ("%.0f"):format(top) or ("%.2f"):format(top),
    { anchor = "end" })
  out[#out + 1] = text(x + 46, y + 34 + height, "0", { anchor = "end" })
  local ends = {}
  for i, line in ipairs(lines) do
    local path = {}
    for j, point in ipairs(line.points) do
      local px, py = at(point)
      path[j] = ("%s%.1f %.1f"):format(j == 1 and "M" or "L", px, py)
      if i == 1 then
        out[#out + 1] = text(px, y + 46 + height, ("%d"):format(point[1]), { anchor = "middle" })
      end
      if j == #line.points then
        ends[#ends + 1] = { x = px + 6, y = py + 4, line = line }
      end
    end
    out[#out + 1] = ('<path d="%s" fill="none" stroke="%s" stroke-width="2"/>'):format(
      table.concat(path), line.colour)
  end
  append_names(out, ends)
  return table.concat(out, "\n"), CURVE_HEIGHT
end

local function curve_lines(bench, curve, library)
  local lines = {}
  for i, program in ipairs{ report.reference(bench), report.ours(bench, "Lua 5.4") or {},
    report.ours(bench, "LuaJIT") or {} } do
    local points = program.name and curve_points(bench, curve, library, program) or {}
    if #points > 1 then
      lines[#lines + 1] = { title = program.title, colour = COLOURS[i], points = points }
    end
  end
  return lines
end

-- Panels in two columns, each below the shorter one.
local function arrange(panels)
  local heights, out = { 60, 60 }, {}
  for _, draw in ipairs(panels) do
    local column = heights[1] <= heights[2] and 1 or 2
    local drawn, height = draw(MARGIN + (column - 1) * (PANEL_WIDTH + MARGIN), heights[column])
    out[#out + 1] = drawn
    heights[column] = heights[column] + height + MARGIN
  end
  return table.concat(out, "\n"), math.max(heights[1], heights[2])
end

--- The picture.
-- @tparam table bench
-- @tparam table plan
-- @treturn string
function M.svg(bench, plan)
  local library = bench.libraries[#bench.libraries]
  local panels = {}
  for _, workload in ipairs(bench.workloads) do
    local bars = bars_of(bench, workload, library)
    if workload.peers ~= false and #bars > 0 then
      panels[#panels + 1] = function(x, y)
        return draw_bars(x, y, ("%s, %s, times that of C"):format(workload.title, workload.figure),
          bars)
      end
    end
  end
  for _, curve in ipairs(plan.growth) do
    local lines = curve_lines(bench, curve, library)
    if #lines > 0 then
      panels[#panels + 1] = function(x, y)
        return draw_curve(x, y, ("%s (%s)"):format(curve.title, curve.unit), lines)
      end
    end
  end
  local drawn, height = arrange(panels)
  return table.concat({
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
      .. 'font-family="sans-serif">'):format(WIDTH, height, WIDTH, height),
    '<rect width="100%" height="100%" fill="white"/>',
    text(MARGIN, 28, ("usher beside its peers, libcurl %s: the median of the rounds (%d)"):format(
      library.version, bench.rounds), { size = 17 }),
    text(MARGIN, 46, "green: usher; dark: C on libcurl (the red line is 1); log scale"),
    drawn, "</svg>\n",
  }, "\n")
end

return M
