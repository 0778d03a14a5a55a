using SiamSharp.Torture;

// Each command tries one way of breaking things, within its bounds, and ends with exit code 1 when anything broke.
switch (args)
{
    case ["mutations", .. var rest]: return Mutations.Run(Bounds.Parse(rest, count: 1_000_000));
    case ["mutations-worker", var folder, var seed]: return MutationWorker.Run(folder, ulong.Parse(seed));
    case ["kills", var command, .. var rest]: return Kills.Run(command, Bounds.Parse(rest, count: 500));
    case ["flips", .. var rest]: return Flips.Run(Bounds.Parse(rest, count: 2_000));
    default:
        Console.Error.WriteLine(
            "siam-torture COMMAND [--count N] [--seconds S] [--seed N]; the commands are in tests/torture/README.md");
        return 2;
}
