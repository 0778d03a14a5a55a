namespace SiamSharp.Cli;

/// <summary>The end of a command's help: what is usually typed.</summary>
internal static class Examples
{
    private static readonly Dictionary<string, string[]> s_of = new()
    {
        ["siam"] = ["siam quickstart", "siam data inspect FOLDER", "siam pretrain --data FOLDER --recipe simclr --out runs/mine",
            "siam evaluate all --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam quickstart"] = ["siam quickstart", "siam quickstart --out runs/trial --set training.seed=2"],
        ["siam pretrain"] = ["siam pretrain --data FOLDER --recipe simclr --out runs/mine",
            "siam pretrain --data FOLDER --recipe byol --set training.epochs=50 --out runs/byol",
            "siam pretrain --data FOLDER --out runs/mine --resume"],
        ["siam evaluate"] = ["siam evaluate all --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam evaluate knn"] =
            ["siam evaluate knn --run runs/mine --train LABELLED#train --test LABELLED#test --set evaluation.k=5"],
        ["siam evaluate linear"] = ["siam evaluate linear --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam evaluate few-shot"] =
            ["siam evaluate few-shot --run runs/mine --train LABELLED#train --test LABELLED#test --set evaluation.shots=[1,2,5]"],
        ["siam evaluate rankme"] = ["siam evaluate rankme --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam evaluate all"] = ["siam evaluate all --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam evaluate linear-sgd"] = ["siam evaluate linear-sgd --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam evaluate fine-tune"] = ["siam evaluate fine-tune --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam evaluate corruption"] = ["siam evaluate corruption --run runs/mine --train LABELLED#train --test LABELLED#test"],
        ["siam study"] = ["siam study study.json --out runs/study"],
        ["siam report"] = ["siam report runs/mine --data LABELLED"],
        ["siam export"] = ["siam export onnx --run runs/mine --out encoder.onnx"],
        ["siam export onnx"] = ["siam export onnx --run runs/mine --out encoder.onnx",
            "siam export onnx --classifier classifier.safetensors --out model.onnx"],
        ["siam export safetensors"] = ["siam export safetensors --run runs/mine --out encoder.safetensors"],
        ["siam embed"] = ["siam embed --run runs/mine --data FOLDER --out vectors.parquet",
            "siam embed --backbone resnet50 --weights resnet50.pth --data FOLDER --out vectors.npy"],
        ["siam classify"] = ["siam classify fit --run runs/mine --data LABELLED --out classifier.safetensors",
            "siam classify predict --model classifier.safetensors --data FOLDER --out answers.csv"],
        ["siam classify fit"] = ["siam classify fit --run runs/mine --data LABELLED --out classifier.safetensors"],
        ["siam classify predict"] = ["siam classify predict --model classifier.safetensors --data FOLDER --out answers.csv"],
        ["siam search"] = ["siam search --index vectors.parquet --run runs/mine --query photo.jpg --out found.png"],
        ["siam duplicates"] = ["siam duplicates --index vectors.parquet"],
        ["siam diverse"] = ["siam diverse --index vectors.parquet -k 50"],
        ["siam views"] = ["siam views --data FOLDER --out views.png",
            "siam views --data FOLDER --set views.preset=paper --out paper.png"],
        ["siam data"] = ["siam data inspect FOLDER"],
        ["siam data inspect"] = ["siam data inspect FOLDER", "siam data inspect FOLDER@labels.csv --set data.size=128"],
        ["siam options"] = ["siam options", "siam options backbone"],
        ["siam doctor"] = ["siam doctor"],
    };

    /// <summary>Of a command as it is typed, <c>siam data inspect</c>; one or more.</summary>
    internal static IReadOnlyList<string> Of(string command) => s_of[command];

    /// <summary>Shows them, never broken into lines, so that they can be copied.</summary>
    internal static void Write(TextWriter output, string command)
    {
        output.WriteLine(Of(command).Count == 1 ? "Example:" : "Examples:");
        foreach (string example in Of(command)) output.WriteLine("  " + example);
        output.WriteLine();
    }
}
