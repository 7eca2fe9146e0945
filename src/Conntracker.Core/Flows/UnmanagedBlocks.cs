using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>
/// A growing array of structs in unmanaged blocks that never move, so that the garbage collector never walks a million of them. A block is
/// allocated when it is needed, all zero. Hold it in a field and never copy it; the owner releases it.
/// </summary>
internal unsafe struct UnmanagedBlocks<T>
    where T : unmanaged
{
    private const int BlockShift = 14;
    private const int BlockSize = 1 << BlockShift;
    private const int BlockMask = BlockSize - 1;

    private T*[]? _blocks;

    /// <summary>The element at an index whose block was ensured.</summary>
    public readonly ref T this[int slot]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _blocks![slot >> BlockShift][slot & BlockMask];
    }

    /// <summary>Allocates the block of an index, unless it exists.</summary>
    public void Ensure(int slot)
    {
        int block = slot >> BlockShift;
        if (_blocks is null || block >= _blocks.Length)
        {
            T*[] blocks = new T*[Math.Max(block + 1, (_blocks?.Length ?? 8) * 2)];
            for (int i = 0; i < (_blocks?.Length ?? 0); i++)
            {
                blocks[i] = _blocks![i];
            }

            _blocks = blocks;
        }

        if (_blocks[block] == null)
        {
            // A block is far above malloc's threshold for mmap: pages become resident when they are written to, not before.
            _blocks[block] = (T*)NativeMemory.AllocZeroed(BlockSize, (nuint)sizeof(T));
        }
    }

    /// <summary>Copies the allocated blocks, up to a number of elements.</summary>
    public readonly void CopyTo(ref UnmanagedBlocks<T> target, int count)
    {
        for (int start = 0; start < count && _blocks is not null && start >> BlockShift < _blocks.Length; start += BlockSize)
        {
            T* block = _blocks[start >> BlockShift];
            if (block != null)
            {
                target.Ensure(start);
                long length = (long)Math.Min(BlockSize, count - start) * sizeof(T);
                Buffer.MemoryCopy(block, target._blocks![start >> BlockShift], length, length);
            }
        }
    }

    /// <summary>Frees every block.</summary>
    public void Release()
    {
        for (int i = 0; i < (_blocks?.Length ?? 0); i++)
        {
            NativeMemory.Free(_blocks![i]);
        }

        _blocks = null;
    }
}
