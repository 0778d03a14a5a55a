using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Native;

/// <summary>Operators of libtorch that TorchSharp's own API does not reach, through one fixed piece of TorchScript.</summary>
/// <remarks>
/// Lists of tensors are handled by one native call each, without a managed object per operation.
/// A compile error in TorchScript aborts the process, so nothing but <see cref="Script"/> is ever compiled and a test calls
/// every function in it. Every function that changes its arguments must run where gradients are off.
/// </remarks>
internal static class TorchOperators
{
    private const string Script =
        """
        def adamw_(params: List[Tensor], grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor],
                   max_exp_avg_sqs: List[Tensor], steps: List[Tensor],
                   lr: float, beta1: float, beta2: float, weight_decay: float, eps: float):
            torch._foreach_add_(steps, 1.0)
            torch._fused_adamw_(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr=lr, beta1=beta1, beta2=beta2,
                                weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)
            return 0

        def sgd_(params: List[Tensor], grads: List[Tensor], buffers: List[Tensor],
                 lr: float, momentum: float, weight_decay: float, nesterov: bool):
            none: List[Tensor] = []
            used = none if momentum == 0.0 else buffers
            torch._fused_sgd_(params, grads, used, weight_decay=weight_decay, momentum=momentum, lr=lr, dampening=0.0,
                              nesterov=nesterov, maximize=False, is_first_step=False)
            return 0

        def lars_(params: List[Tensor], grads: List[Tensor], buffers: List[Tensor],
                  lr: float, momentum: float, weight_decay: float, trust: float):
            updates = torch._foreach_add(grads, params, alpha=weight_decay)
            weight_norms = torch._foreach_norm(params)
            update_norms = torch._foreach_norm(updates)
            scales: List[Tensor] = []
            for w, u in zip(weight_norms, update_norms):
                one = torch.ones_like(w)
                scales.append(torch.where((w > 0) & (u > 0), trust * w / u, one))
            torch._foreach_mul_(updates, scales)
            torch._foreach_mul_(buffers, momentum)
            torch._foreach_add_(buffers, updates)
            torch._foreach_add_(params, buffers, alpha=-lr)
            return 0

        def global_norm(tensors: List[Tensor]):
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(tensors)))

        def scale_(tensors: List[Tensor], factor: float):
            torch._foreach_mul_(tensors, factor)
            return 0

        def lerp_(targets: List[Tensor], sources: List[Tensor], weight: float):
            torch._foreach_lerp_(targets, sources, weight)
            return 0

        def mapped(path: Tensor, count: int, dtype: int):
            codes: List[int] = path.tolist()
            return torch.from_file(''.join([chr(c) for c in codes]), False, count, dtype=dtype)

        """;

    private static readonly Lazy<jit.CompilationUnit> s_unit = new(() =>
    {
        InitializeDeviceType(DeviceType.CPU); // compiling before libtorch is loaded fails with a misleading message
        return jit.compile(Script);
    });

    /// <summary>One AdamW step in place, the step counters included.</summary>
    /// <param name="parameters">Parameters, all of one floating-point dtype and device.</param>
    /// <param name="gradients">Their gradients.</param>
    /// <param name="expAvgs">First moments.</param>
    /// <param name="expAvgSqs">Second moments.</param>
    /// <param name="steps">Steps done so far: one float32 scalar for each parameter.</param>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="weightDecay">Decoupled weight decay.</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    public static void AdamW(Tensor[] parameters, Tensor[] gradients, Tensor[] expAvgs, Tensor[] expAvgSqs, Tensor[] steps,
        double learningRate, double beta1, double beta2, double weightDecay, double epsilon) =>
        Invoke("adamw_", parameters, gradients, expAvgs, expAvgSqs, Array.Empty<Tensor>(), steps,
            learningRate, beta1, beta2, weightDecay, epsilon);

    /// <summary>One step of SGD with momentum in place, as torch.optim.SGD without dampening.</summary>
    /// <param name="parameters">Parameters, all of one floating-point dtype and device.</param>
    /// <param name="gradients">Their gradients.</param>
    /// <param name="buffers">Momentum buffers, zeros before the first step.</param>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="momentum">0 or more; at 0 the buffers stay as they are.</param>
    /// <param name="weightDecay">L2 penalty added to the gradient.</param>
    /// <param name="nesterov">Nesterov's look-ahead.</param>
    public static void Sgd(Tensor[] parameters, Tensor[] gradients, Tensor[] buffers,
        double learningRate, double momentum, double weightDecay, bool nesterov) =>
        Invoke("sgd_", parameters, gradients, buffers, learningRate, momentum, weightDecay, nesterov);

    /// <summary>One LARS step in place with layer-wise scaling of every parameter given.</summary>
    /// <param name="parameters">Parameters of one floating-point dtype and device.</param>
    /// <param name="gradients">Their gradients.</param>
    /// <param name="buffers">Momentum buffers, zeros before the first step.</param>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="momentum">0 or more.</param>
    /// <param name="weightDecay">L2 penalty added to the gradient before scaling.</param>
    /// <param name="trust">The trust coefficient eta.</param>
    public static void Lars(Tensor[] parameters, Tensor[] gradients, Tensor[] buffers,
        double learningRate, double momentum, double weightDecay, double trust) =>
        Invoke("lars_", parameters, gradients, buffers, learningRate, momentum, weightDecay, trust);

    /// <summary>The Euclidean norm of all tensors taken together.</summary>
    /// <returns>A scalar tensor of their dtype, owned by the caller.</returns>
    public static Tensor GlobalNorm(Tensor[] tensors) => (Tensor)Invoke("global_norm", [tensors]);

    /// <summary>Multiplies every tensor by <paramref name="factor"/> in place.</summary>
    public static void Scale(Tensor[] tensors, double factor) => Invoke("scale_", tensors, factor);

    /// <summary>Moves every target in place by <paramref name="weight"/> of the way to its source.</summary>
    public static void Lerp(Tensor[] targets, Tensor[] sources, double weight) =>
        Invoke("lerp_", targets, sources, weight);

    /// <summary>A file's bytes from its start on as a tensor whose memory is the file, read as it is touched;
    /// what is written to it stays in memory.</summary>
    /// <param name="path">The file; it must not shrink while the tensor or a view of it is used.</param>
    /// <param name="count">Elements, 1 or more; the file holds at least so many.</param>
    /// <param name="type">Of the elements.</param>
    /// <returns>(count), owned by the caller.</returns>
    internal static Tensor Map(string path, long count, ScalarType type)
    {
        // TorchSharp passes no text to TorchScript, but tensors: the bytes of UTF-8, each a character of libtorch's.
        using Tensor bytes = tensor([.. Encoding.UTF8.GetBytes(path).Select(b => (long)b)]);
        return (Tensor)Invoke("mapped", bytes, count, (long)type);
    }

    /// <summary>Calls one function of the script.</summary>
    /// <remarks>
    /// TorchSharp 0.107 turns a double into a Scalar that nothing refers to, so a garbage collection during the call frees it and
    /// the function reads freed memory. Here the scalars, and the tensors, are held until the call returns.
    /// </remarks>
    private static object Invoke(string name, params object[] arguments)
    {
        object[] held = [.. arguments.Select(a => a is double number ? number.ToScalar() : a)];
        object result = s_unit.Value.invoke(name, held);
        foreach (Scalar scalar in held.OfType<Scalar>()) scalar.Dispose();
        GC.KeepAlive(held);
        return result;
    }
}
