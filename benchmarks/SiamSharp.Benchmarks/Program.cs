using System.Text.Json;
using SiamSharp.Benchmarks;
using SiamSharp.Native;

// dotnet run -c Release --project benchmarks/SiamSharp.Benchmarks --
// step|loader|memory|methods|drop|judge|embed|search|load [name=value]...
// step takes a recipe of the user's too, recipe=FILE, with "set=path=value;path=value". Prints one line of JSON.
// Run it alone on the machine.
FreedMemory.Keep();
Dictionary<string, string> given = args.Skip(1).Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
int Number(string name, int otherwise) => given.TryGetValue(name, out string? text) ? int.Parse(text) : otherwise;

object? result = args.FirstOrDefault() switch
{
    "step" => TrainingStep.Measure(Number("size", 64), Number("batch", 64), Number("steps", 10), Number("threads", 0),
        given.GetValueOrDefault("recipe"), given.TryGetValue("set", out string? set) ? set.Split(';') : []),
    "loader" => LoaderWait.Measure(Number("images", 512), Number("batch", 128), Number("epochs", 3)),
    "memory" => MemoryGrowth.Measure(Number("steps", 1000)),
    "methods" => MethodShare.Measure(Number("size", 64), Number("batch", 64), Number("steps", 10)),
    "drop" => DroppedPatches.Measure(given.GetValueOrDefault("backbone", "vit_s"), Number("size", 64), Number("patch", 8),
        Number("batch", 64), Number("percent", 50) / 100.0, Number("rounds", 7)),
    "judge" => JudgingTime.Measure(given.GetValueOrDefault("features", "pixels"), Number("width", 64), Number("threads", 0)),
    "embed" => Production.Embed(given.GetValueOrDefault("backbone", "resnet50"), Number("size", 224),
        Number("images", 128), Number("rounds", 5)),
    "search" => Production.Search(Number("rows", 1_000_000), Number("width", 512), Number("queries", 21)),
    "load" => Production.Load(Number("megabytes", 100), Number("rounds", 11)),
    _ => null,
};
if (result is null)
{
    Console.Error.WriteLine("usage: step|loader|memory|methods|drop|judge|embed|search|load [name=value]...");
    return 2;
}
Console.WriteLine(JsonSerializer.Serialize(result));
return 0;
