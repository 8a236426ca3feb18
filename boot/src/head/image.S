# The first bytes of the image, at fixed offsets that loaders, the bzImage builder and the set-up code know.

    .set KERNEL_MAP, 0xffffffff80000000     # virtual address of physical address 0
    .set LOAD_ADDRESS, 0x100000             # where every loader puts the first byte below

    .section .head.text, "ax", @progbits
    .code32
    .globl startup_32
startup_32:
    jmp     linux_32

    .org    0x08
    # Where the image's last 16 bytes lie, which say that all of it was loaded. Zero in the ELF file, whose loader knows by
    # itself what to load; the bzImage builder appends those bytes to its flat file and patches this field.
    .long   0
    .ascii  "Incipit\0"
    .org    0x18
    # From where on the head itself clears memory, so that the bzImage file need not hold it; zero if it clears nothing.
    .if     {BZIMAGE_TRIM}
    .long   __bss_start - KERNEL_MAP
    .else
    .long   0
    .endif

    # Boot protocol 2.15's kernel_info: the header's `kernel_info_offset` is 0x20.
    .org    0x20
kernel_info:
    .ascii  "LToP"
    .long   kernel_info_end - kernel_info
    .long   kernel_info_end - kernel_info
    .long   {setup_type_max}
kernel_info_end:

    .org    0x200
    .globl  startup_64
    .code64
startup_64:
    jmp     linux_64

# Leaves for \cut_short unless all of the image is in memory. Physical addresses; clobbers edi.
.macro check_image cut_short complete
    cmpl    $0x69636e49, LOAD_ADDRESS + 0x0c        # "Inci"
    jne     \cut_short
    cmpl    $0x00746970, LOAD_ADDRESS + 0x10        # "pit"
    jne     \cut_short
    movl    LOAD_ADDRESS + 0x08, %edi
    testl   %edi, %edi
    jz      \complete
    cmpl    $0x69636e49, (%edi)                     # "Inci"
    jne     \cut_short
    cmpl    $0x20746970, 4(%edi)                    # "pit "
    jne     \cut_short
    cmpl    $0x706d6f63, 8(%edi)                    # "comp"
    jne     \cut_short
    cmpl    $0x6574656c, 12(%edi)                   # "lete"
    jne     \cut_short
\complete:
.endm
