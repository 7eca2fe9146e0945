using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>
/// libnftables (nftables/libnftables.h, man page libnftables(3)): nft commands in, text or JSON out.
/// </summary>
internal static partial class Libnftables
{
    /// <summary>The shared object's name; Debian's package is libnftables1.</summary>
    public const string Library = "libnftables.so.1";

    /// <summary>The Debian package that contains it.</summary>
    public const string Package = "libnftables1";

    public const uint NFT_CTX_DEFAULT = 0;
    public const uint NFT_CTX_OUTPUT_STATELESS = 1 << 2;
    public const uint NFT_CTX_OUTPUT_HANDLE = 1 << 3;
    public const uint NFT_CTX_OUTPUT_TERSE = 1 << 11;

    [LibraryImport(Library)]
    public static partial nint nft_ctx_new(uint flags);

    [LibraryImport(Library)]
    public static partial void nft_ctx_free(nint ctx);

    [LibraryImport(Library)]
    public static partial int nft_ctx_buffer_output(SafeNftContext ctx);

    [LibraryImport(Library)]
    public static partial int nft_ctx_buffer_error(SafeNftContext ctx);

    [LibraryImport(Library)]
    public static partial void nft_ctx_output_set_flags(SafeNftContext ctx, uint flags);

    [LibraryImport(Library)]
    public static partial nint nft_ctx_get_output_buffer(SafeNftContext ctx);

    [LibraryImport(Library)]
    public static partial nint nft_ctx_get_error_buffer(SafeNftContext ctx);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int nft_run_cmd_from_buffer(SafeNftContext ctx, string buf);
}
