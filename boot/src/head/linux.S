# The two ways in of the Linux boot protocol (Documentation/x86/boot.rst), each with a pointer to boot_params.

    .section .head.text, "ax", @progbits

# 32-bit: protected mode, paging off, flat segments, esi = boot_params.
    .code32
linux_32:
    cld
    cli
    cmpl    ${SETUP16_MARK}, %ebp            # the protocol has loaders clear ebp; our own set-up code leaves this
    movl    ${linux_32}, %ebp
    jne     1f
    movl    ${bzimage_16}, %ebp
1:  jmp     protected_mode

# 64-bit: long mode, page tables of the loader's, rsi = boot_params. All of that is left behind: the checks and the page
# tables are the same for every way in, and the loader may have chosen five-level paging.
    .code64
linux_64:
    cld
    cli
    movq    %rsi, %rbx
    shrq    $32, %rbx                       # zero unless the loader ignored xloadflags
    movabsq ${STUB_MARK}, %rax               # the protocol says nothing of rbp; our own EFI stub leaves this
    cmpq    %rax, %rbp
    movl    ${linux_64}, %ebp
    jne     1f
    movl    ${efi_stub}, %ebp
1:
    lgdt    early_gdt_physical(%rip)
    ljmpl   *2f(%rip)
    .balign 8
2:  .long   3f - KERNEL_MAP
    .word   KERNEL32_CS

    .code32
3:  movl    %cr0, %eax
    andl    $0x7fffffff, %eax               # CR0.PG
    movl    %eax, %cr0
    testl   %ebx, %ebx
    jz      protected_mode
    movl    $above_4g - KERNEL_MAP, %esi
    jmp     head_stop

above_4g:
    .asciz  "The boot loader passed boot_params above 4 GiB, where this kernel cannot reach them.\r\n"
