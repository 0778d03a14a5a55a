using SiamSharp.Cli;

return await Siam.RunAsync(args, Console.Out, Console.Error);
