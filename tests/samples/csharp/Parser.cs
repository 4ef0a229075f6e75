using System;
using System.Collections.Generic;
using System.Linq;

namespace Example.Text;

/// <summary>Reads lines of the form <c>key = value # comment</c>.</summary>
public static class Parser
{
    public static IReadOnlyDictionary<string, string> Parse(IEnumerable<string> lines)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (line, number) in lines.Select((line, idx) => (line, idx + 1)))
        {
            var text = line.Split('#', 2)[0].Trim();
            if (text.Length == 0) continue;
            var parts = text.Split('=', 2);
            if (parts is not [var key, var value])
                throw new FormatException($"line {number}: no '=' in \"{text}\"");
            values[key.Trim()] = value.Trim() switch { "" => "∅", var it => it };
        }
        return values;
    }
}
