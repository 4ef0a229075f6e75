local Grid = {}
Grid.__index = Grid

--- Make a grid whose cells all hold `fill`.
function Grid.new(width, height, fill)
  local self = setmetatable({ width = width, height = height, cells = {} }, Grid)
  for i = 1, width * height do
    self.cells[i] = fill or 0
  end
  return self
end

function Grid:get(x, y)
  if x < 1 or x > self.width or y < 1 or y > self.height then
    return nil, ("outside: %d, %d"):format(x, y)
  end
  return self.cells[(y - 1) * self.width + x]
end

function Grid:rows()
  local y = 0
  return function()
    y = y + 1
    if y <= self.height then
      local first = (y - 1) * self.width + 1
      return y, { table.unpack(self.cells, first, first + self.width - 1) }
    end
  end
end

return Grid
